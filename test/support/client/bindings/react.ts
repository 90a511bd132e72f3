import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { useSessionSecurity } from '../../../../client/bindings/react.js';

function Warning() {
  const { phase, remaining, stay } = useSessionSecurity();
  return createElement('button', { onClick: stay }, `${phase} ${remaining}`);
}

const root = createRoot(document.querySelector('main')!);
root.render(createElement(Warning));
export const unmount = () => root.unmount();
