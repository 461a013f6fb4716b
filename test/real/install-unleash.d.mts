/**
 * Where the real Unleash of the tests lies: outside the checkout, so that a clean one does not fetch 190 MB again, and
 * outside `node_modules`, since it is no dependency of unship. `UNSHIP_TEST_CACHE` names another place.
 */
export const UNLEASH_FOLDER: string;
/** Whether exactly the pinned packages lie there. */
export function isUnleashInstalled(): boolean;
