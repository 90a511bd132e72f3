import { createApp, h } from 'vue';
import { useSessionSecurity } from '../../../../client/bindings/vue.js';

const application = createApp({
  setup() {
    const { phase, remaining, stay } = useSessionSecurity();
    return () => h('button', { onClick: stay }, `${phase.value} ${remaining.value}`);
  },
});

application.mount('main');
export const unmount = () => application.unmount();
