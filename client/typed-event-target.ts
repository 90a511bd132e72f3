import type { MonitorEvents } from './core/ports.js';
import type { DraftNews } from './drafts/draft-event.js';

/** The events of the client by name. `warn` and `expire` can be cancelled. */
export type SessionSecurityEventMap = { [Type in keyof MonitorEvents]: CustomEvent<MonitorEvents[Type]> } & {
  draft: CustomEvent<DraftNews>;
};

/** An EventTarget that knows the names and details of its events. */
export interface TypedEventTarget extends EventTarget {
  addEventListener<Type extends keyof SessionSecurityEventMap>(
    type: Type,
    listener: (event: SessionSecurityEventMap[Type]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(...args: Parameters<EventTarget['addEventListener']>): void;
  removeEventListener<Type extends keyof SessionSecurityEventMap>(
    type: Type,
    listener: (event: SessionSecurityEventMap[Type]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void;
}
