export function findProgram(name: 'chromium' | 'redis-server'): string;
