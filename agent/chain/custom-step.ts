import { z } from "zod";
import { type Claims, NO_CLAIMS } from "./step.ts";

/**
 * What a step that the configuration invented answers. The three certainties are the only ones there are, so that
 * "we do not know" is always among the answers.
 */
export const CustomAnswer = z.strictObject({
  certainty: z.enum(["CONFIRMED", "LIKELY", "INCONCLUSIVE"]),
  answer: z.string().min(1).max(2_000),
  changeIds: z.array(z.string().max(200)).max(20).default([]),
  services: z.array(z.string().max(200)).max(50).default([]),
});
export type CustomAnswer = Readonly<z.infer<typeof CustomAnswer>>;

export function customClaims({ answer, changeIds, services }: CustomAnswer): Claims {
  return { ...NO_CLAIMS, changeIds, services, prose: [answer] };
}
