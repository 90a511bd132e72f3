import axios, { type AxiosError } from 'axios';
import { isSignedOut, leaveForSignIn } from './signed-out.js';

export const http = axios.create();

http.interceptors.response.use(undefined, (error: AxiosError) => {
  if (isSignedOut(error.response?.data)) leaveForSignIn(error.response.data);
  throw error;
});
