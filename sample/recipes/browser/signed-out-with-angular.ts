import type { HttpErrorResponse, HttpInterceptorFn } from '@angular/common/http';
import { catchError, throwError } from 'rxjs';
import { isSignedOut, leaveForSignIn } from './signed-out.js';

/** For `provideHttpClient(withInterceptors([signedOut]))`. */
export const signedOut: HttpInterceptorFn = (request, next) =>
  next(request).pipe(
    catchError((response: HttpErrorResponse) => {
      if (isSignedOut(response.error)) leaveForSignIn(response.error);
      return throwError(() => response);
    }),
  );
