import { BadInputError, quoted } from "../errors.ts";

/** A number that can be set: its value when it is not, and its bounds. */
export interface NumberSetting {
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

/** Settings as users write them, `name=value,name=value`; remembers which were asked for. */
export class SettingsReader {
  readonly #label: string;
  readonly #given = new Map<string, string>();
  readonly #known = new Set<string>();

  /**
   * @param label how messages call the text
   * @throws BadInputError when the text has another form
   */
  constructor(label: string, settings: string) {
    this.#label = label;
    if (settings === "") return;
    for (const part of settings.split(",")) {
      const [key = "", value, ...rest] = part.split("=");
      if (value === undefined || rest.length > 0 || key === "") {
        this.refuse("settings", `${quoted(part)} is not of the form name=value`);
      }
      if (this.#given.has(key)) this.refuse(key, "is given twice");
      this.#given.set(key, value);
    }
  }

  /** @throws BadInputError always, in one line */
  refuse(where: string, reason: string): never {
    throw new BadInputError(`${this.#label}: ${where}: ${reason}`);
  }

  /** A setting's text; undefined when it was not given. */
  text(key: string): string | undefined {
    this.#known.add(key);
    return this.#given.get(key);
  }

  /** The values of some settings. */
  numbers<K extends string>(settings: Readonly<Record<K, NumberSetting>>): Record<K, number> {
    const entries = Object.entries<NumberSetting>(settings).map(([key, setting]) => {
      const text = this.text(key);
      return [key, text === undefined ? setting.value : this.number(key, text, setting)];
    });
    return Object.fromEntries(entries) as Record<K, number>;
  }

  /** A number within bounds, read from a text that belongs to `key`. */
  number(key: string, text: string, { from, to }: Pick<NumberSetting, "from" | "to">): number {
    const value = /^-?\d+(\.\d{1,8})?$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= from && value <= to)) {
      this.refuse(
        key,
        `${quoted(text)} is not a number from ${from} to ${to} with at most 8 decimals`,
      );
    }
    return value;
  }

  /** A whole number within bounds. */
  integer(key: string, text: string, { from, to }: Pick<NumberSetting, "from" | "to">): number {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= from && value <= to)) {
      this.refuse(key, `${quoted(text)} is not a whole number from ${from} to ${to}`);
    }
    return value;
  }

  /** @throws BadInputError when a setting was given that nothing asked for */
  finish(): void {
    for (const key of this.#given.keys()) {
      if (this.#known.has(key)) continue;
      this.refuse(quoted(key), `is unknown; available: ${[...this.#known].join(", ")}`);
    }
  }
}
