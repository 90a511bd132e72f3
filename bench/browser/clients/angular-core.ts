/**
 * As much of `@angular/core` and `@angular/common` as @ng-idle/core needs to run outside Angular. The real one would
 * compile its declarations in the browser, which the content security policy of a row forbids, and no Angular application
 * does.
 */
import { Subject } from 'rxjs';

export class EventEmitter<Value> extends Subject<Value> {
  emit(value: Value): void {
    this.next(value);
  }
}

const nothing = (): void => undefined;
export const isPlatformServer = (): boolean => false;
export const PLATFORM_ID = 'browser';
export const Injectable = nothing;
export const Optional = nothing;
export const Inject = nothing;
export const NgModule = nothing;
export const NgZone = nothing;
export const ɵɵFactoryTarget = {};
export const ɵɵngDeclareFactory = nothing;
export const ɵɵngDeclareInjectable = nothing;
export const ɵɵngDeclareInjector = nothing;
export const ɵɵngDeclareNgModule = nothing;
export const ɵɵngDeclareClassMetadata = nothing;
