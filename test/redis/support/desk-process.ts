/** One process of the application; run with the address of Redis. It says its port over IPC and ends with its parent. */
import { Desk } from './desk.js';

const desk = await Desk.open(process.argv[2]!, { security: { warnAfter: 50, expireAfter: 60 } });
process.on('disconnect', () => void desk.close());
process.send!({ port: desk.address.port });
