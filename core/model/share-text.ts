/** A share 0–1 as percent at three significant digits: `0.3124` → `31.2 %`, `0.0021` → `0.21 %`. Pure. */
export const shareText = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;
