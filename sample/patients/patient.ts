export interface Patient {
  readonly id: string;
  readonly name: string;
  readonly born: string;
  readonly appointment: string;
  readonly concern: string;
}

export interface Note {
  readonly text: string;
  readonly author: string;
  readonly writtenAt: Date;
}
