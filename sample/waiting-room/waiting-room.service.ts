import { Injectable } from '@nestjs/common';

export interface WaitingPatient {
  readonly name: string;
  readonly room: string;
  readonly minutes: number;
}

const ARRIVALS: readonly { name: string; room: string; arrivedMinute: number }[] = [
  { name: 'Amelie Brandt', room: 'Room 1', arrivedMinute: 0 },
  { name: 'Jonas Okafor', room: 'Room 2', arrivedMinute: 4 },
  { name: 'Ingrid Aalto', room: 'Room 1', arrivedMinute: 7 },
  { name: 'Rafael Duarte', room: 'Laboratory', arrivedMinute: 11 },
];

/** Who is waiting, as the sensors at the door would report it. */
@Injectable()
export class WaitingRoomService {
  readonly #openedAt = Date.now() - 12 * 60_000;

  queue(): WaitingPatient[] {
    const minutesOpen = Math.floor((Date.now() - this.#openedAt) / 60_000);
    return ARRIVALS.map(({ name, room, arrivedMinute }) => ({
      name,
      room,
      minutes: minutesOpen - arrivedMinute,
    }));
  }
}
