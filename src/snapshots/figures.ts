/** What was measured, and its figure. */
export type Row = readonly [name: string, figure: number];

/** Figures by what was measured, for instance gas by operation. */
export type Figures = Readonly<Record<string, number>>;

/** The content of a snapshot file: figures by group, for instance by contract. */
export type Snapshot = Readonly<Record<string, Figures>>;

/** A figure that is not what it was. */
export interface Difference {
  readonly group: string;
  readonly name: string;
  /** As committed; undefined when the row is new. */
  readonly committed: number | undefined;
  /** As measured; undefined when the row is gone. */
  readonly measured: number | undefined;
}

/**
 * Figures from rows.
 *
 * @throws Error when two rows have the same name
 */
export function figuresOf(rows: readonly Row[]): Figures {
  const figures: Record<string, number> = {};
  for (const [name, figure] of rows) {
    if (Object.hasOwn(figures, name)) throw new Error(`"${name}" is measured twice`);
    figures[name] = figure;
  }
  return figures;
}

/** Every row that is new, gone or has another figure; in the order of the measurement, rows that are gone last. */
export function differences(committed: Snapshot, measured: Snapshot): Difference[] {
  const compare = (group: string, name: string): Difference[] => {
    const difference = {
      group,
      name,
      committed: committed[group]?.[name],
      measured: measured[group]?.[name],
    };
    return difference.committed === difference.measured ? [] : [difference];
  };
  const gone = names(committed).filter(([group, name]) => measured[group]?.[name] === undefined);
  return [...names(measured), ...gone].flatMap(([group, name]) => compare(group, name));
}

/** Group and name of every row. */
function names(snapshot: Snapshot): [group: string, name: string][] {
  return Object.entries(snapshot).flatMap(([group, figures]) =>
    Object.keys(figures).map((name): [string, string] => [group, name]),
  );
}
