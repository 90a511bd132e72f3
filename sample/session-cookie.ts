export const SESSION_COOKIE = 'clinic.sid';
