import { type Chance, chance } from "../../../evals/real-kubernetes/shop/chance.ts";
import { expiredLists, throttled } from "./api-troubles.ts";
import type { FleetService } from "./configuration.ts";
import { type Card, INNOCENT, TROUBLES } from "./deck.ts";
import type { Fleet } from "./fleet.ts";
import type { Planned } from "./run.ts";

/** After something happened to a service, nothing else does for so long: what it ended with must serve before it is restored. */
export const REST_SECONDS = 180;
/** The last burst begins so long before the end. */
const TAIL_SECONDS = 200;
/** Troubles begin in bursts of so many, within so many seconds of each other, so that they overlap. */
const SIZES = [1, 2, 3];
const IN_BURST_SECONDS = 12;
const HOUR_SECONDS = 3600;

/** What happens when and to whom. */
export interface Scheduled {
  readonly at: number;
  readonly card: Card;
  readonly service: string;
}

export interface Schedule {
  /** When each burst of troubles begins, s. */
  readonly bursts: readonly number[];
  readonly troubles: readonly Scheduled[];
  readonly innocent: readonly Scheduled[];
}

/**
 * Deals an hour's troubles and innocent changes to the services by a seed: every card of both decks that any service fits,
 * each at a service to which nothing else happens then. Of a shorter time the shuffled decks' first part. Shuffles again
 * where a card finds no free service, and throws where that is so again and again.
 */
export function schedule(services: readonly FleetService[], seed: number, seconds = HOUR_SECONDS): Schedule {
  const by = chance(seed);
  for (let tries = 0; tries < SHUFFLES; tries += 1) {
    const found = dealtOnce(services, by, seconds);
    if (found !== null) return found;
  }
  throw new Error(`seed ${seed} leaves no time for all`);
}

const SHUFFLES = 20;

/** Null where a card finds no free service. */
function dealtOnce(services: readonly FleetService[], by: Chance, seconds: number): Schedule | null {
  const share = Math.min(1, seconds / HOUR_SECONDS);
  const dealt = (cards: readonly Card[]): Card[] => {
    const deck = cards
      .filter(({ fits }) => services.some(fits))
      .flatMap((one) => Array.from({ length: one.times }, () => one));
    return by.shuffled(deck).slice(0, Math.ceil(deck.length * share));
  };
  const free = new Map(services.map(({ name }) => [name, 0]));
  /** Deals the first card that finds a free service. */
  const deal = ({ waiting, placed }: Deck, at: number): void => {
    for (const [index, card] of waiting.entries()) {
      const able = services.filter((service) => card.fits(service) && (free.get(service.name) ?? 0) <= at);
      if (able.length === 0) continue;
      const { name } = by.pick(able);
      waiting.splice(index, 1);
      free.set(name, at + REST_SECONDS);
      placed.push({ at, card, service: name });
      return;
    }
  };
  const troubles: Deck = { waiting: dealt(TROUBLES), placed: [] };
  const innocent: Deck = { waiting: dealt(INNOCENT), placed: [] };
  const length = seconds - TAIL_SECONDS;
  const sizes = sizesOf(troubles.waiting.length, by);
  const bursts = sizes.map((_, index) => Math.round((index * length) / sizes.length));
  const inBursts = bursts.flatMap((start, index) =>
    Array.from({ length: sizes[index] ?? 0 }, (_, place) => start + (place === 0 ? 0 : by.below(IN_BURST_SECONDS))),
  );
  const between = innocent.waiting.map((_, index, all) => Math.round(((index + 0.3) * length) / all.length));
  const slots = [
    ...inBursts.map((at) => ({ at, deck: troubles })),
    ...between.map((at) => ({ at, deck: innocent })),
  ].toSorted((a, b) => a.at - b.at);
  for (const { at, deck } of slots) deal(deck, at);
  // What found nobody free at its time comes as soon as somebody is.
  for (const deck of [troubles, innocent])
    for (let at = 0; deck.waiting.length > 0 && at < length; at += IN_BURST_SECONDS) deal(deck, at);
  if (troubles.waiting.length + innocent.waiting.length > 0) return null;
  return { bursts, troubles: troubles.placed, innocent: innocent.placed };
}

interface Deck {
  readonly waiting: Card[];
  readonly placed: Scheduled[];
}

/** Sizes of bursts, by chance, so many in all. */
function sizesOf(count: number, by: Chance): readonly number[] {
  const sizes: number[] = [];
  for (let left = count; left > 0; ) {
    const size = Math.min(left, by.pick(SIZES));
    sizes.push(size);
    left -= size;
  }
  return sizes;
}

/** So long a hung API server, flow control and expired lists last, s. */
const HUNG_SECONDS = 20;
const REFUSED_SECONDS = 15;
const EXPIRED_SECONDS = 30;
/** They begin so long after a burst of troubles, s: while it is judged. */
const INTO_BURST_SECONDS = 3;
/** Longer than any of them lasts, s. */
const APART_SECONDS = 60;

/**
 * A schedule's troubles and innocent changes, and in the midst of its bursts what befalls the control plane: the API server
 * hangs twice and is killed once, etcd is restarted, flow control refuses unship (429), its lists expire between two pages
 * (410), and between bursts the tokens of the roles are rotated in their files.
 */
export function hour(fleet: Fleet, seed: number, seconds = HOUR_SECONDS): readonly Planned[] {
  const { bursts, troubles, innocent } = schedule(fleet.services, seed, seconds);
  const things = [...troubles, ...innocent].flatMap(({ at, card, service }) =>
    card.acts.map(({ after, act }): Planned => ({ at: at + after, act: () => act(fleet, service) })),
  );
  const { apiServer, etcd } = fleet.plane;
  const hung = (at: number): readonly Planned[] => [
    quietly(at, () => apiServer.hang()),
    quietly(at + HUNG_SECONDS, () => apiServer.resume()),
  ];
  const befalls: readonly ((at: number) => readonly Planned[])[] = [
    hung,
    (at) => [{ at, act: () => throttled(fleet, REFUSED_SECONDS * 1000) }],
    (at) => [
      quietly(at, async () => {
        await apiServer.kill();
        await apiServer.start();
      }),
    ],
    (at) => [{ at, act: () => expiredLists(fleet, EXPIRED_SECONDS * 1000) }],
    (at) => [
      quietly(at, async () => {
        await etcd.stop();
        await etcd.start();
      }),
    ],
    hung,
  ];
  const times = apart(befalls.map((_, index) => inBurst(bursts, (index + 1) / (befalls.length + 1))));
  return [
    ...things,
    ...befalls.flatMap((planned, index) => planned(times[index] ?? 0)),
    quietly(seconds * 0.25, () => fleet.roles.rotate("unship-read")),
    quietly(seconds * 0.75, () => fleet.roles.rotate("unship-gate")),
  ].toSorted((a, b) => a.at - b.at);
}

/** In the midst of the burst at this share of all. */
const inBurst = (bursts: readonly number[], share: number): number =>
  (bursts[Math.floor(share * bursts.length)] ?? 0) + INTO_BURST_SECONDS;

/** Where there are few bursts, one thing is over before the next begins. */
function apart(times: readonly number[]): readonly number[] {
  let free = 0;
  return times.map((at) => {
    const begins = Math.max(at, free);
    free = begins + APART_SECONDS;
    return begins;
  });
}

/** What befalls the control plane is no trouble of a service's. */
export const quietly = (at: number, act: () => Promise<void> | void): Planned => ({
  at,
  async act() {
    await act();
    return null;
  },
});
