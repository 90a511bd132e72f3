import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { compileScript, parse } from 'vue/compiler-sfc';

const page = readFileSync(new URL('../../../docs/single-page.md', import.meta.url), 'utf8');
/** The first block of a language that begins with `beginning`. */
const block = (language: string, beginning = ''): string =>
  new RegExp(`^\`\`\`${language}\n(${beginning}.*?)^\`\`\`$`, 'ms').exec(page)![1]!;

/** The components of the documentation, put into a page as applications do it. */
const APPLICATIONS = {
  React: () => `${block('tsx')}
    import { StrictMode } from 'react';
    import { createRoot } from 'react-dom/client';
    createRoot(document.querySelector('main')!).render(<StrictMode><SessionWarning /></StrictMode>);`,
  Vue: () => `${vueComponent(block('vue'))}
    import { createApp } from 'vue';
    createApp(SessionWarning).mount('main');`,
  // Compiled in the browser, where Angular knows of signal queries only by decorators, which its own tools add.
  Angular: () => `import '@angular/compiler';
    import { provideZonelessChangeDetection, ViewChild } from '@angular/core';
    import { bootstrapApplication } from '@angular/platform-browser';
    ${block('ts', 'import { Component,')}
    ViewChild('dialog', { isSignal: true } as object)(SessionWarning.prototype, 'dialog');
    document.querySelector('main')!.append(document.createElement('app-session-warning'));
    void bootstrapApplication(SessionWarning, { providers: [provideZonelessChangeDetection()] });`,
};

/** A script with the component that the documentation shows for a framework. */
export async function documentedComponent(framework: keyof typeof APPLICATIONS): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: APPLICATIONS[framework](), loader: 'tsx', resolveDir: process.cwd() },
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    alias: {
      'nestjs-session-security/client/angular': './client/bindings/angular.ts',
      'nestjs-session-security/client/headless': './client/headless.ts',
      'nestjs-session-security/client/react': './client/bindings/react.ts',
      'nestjs-session-security/client/vue': './client/bindings/vue.ts',
    },
    jsx: 'automatic',
    bundle: true,
    format: 'iife',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0]!.text;
}

function vueComponent(source: string): string {
  const { descriptor } = parse(source);
  const { content } = compileScript(descriptor, {
    id: 'session-warning',
    inlineTemplate: true,
    genDefaultAs: 'SessionWarning',
  });
  return content;
}
