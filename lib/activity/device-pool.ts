/** Device names are few: at most 255 different ones are told apart, the rest goes unnamed. */
export class DevicePool {
  readonly #devices: (string | undefined)[] = [undefined];

  index(device: string | undefined): number {
    const known = this.#devices.indexOf(device);
    if (known !== -1) return known;
    return this.#devices.length > 255 ? 0 : this.#devices.push(device) - 1;
  }

  at(index: number): string | undefined {
    return this.#devices[index];
  }
}
