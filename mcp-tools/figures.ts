/** A figure at the precision that a reader can use: four significant digits. Absent stays absent. */
export function figure(value: number): number;
export function figure(value: number | null): number | null;
export function figure(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4));
}
