/** The packages among the peers that come without declarations, as far as they are used. */
declare module 'idle-js' {
  export default class IdleJs {
    constructor(options: { idle: number; onIdle: () => void; onActive: () => void });
    start(): this;
  }
}

declare module 'hmrc-frontend/hmrc/components/timeout-dialog/timeout-dialog' {
  export default class TimeoutDialog {
    constructor(element: Element, activity: object);
    init(): void;
  }
}

declare module 'hmrc-frontend/hmrc/components/timeout-dialog/session-activity-service' {
  export default class SessionActivityService {
    constructor(channel: typeof BroadcastChannel);
  }
}
