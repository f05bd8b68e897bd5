/** Choices that one seed decides. */
import { randomFrom } from "../support/generated-store.mjs";

export interface Choices {
  /** 0 … limit - 1. */
  below(limit: number): number;
  chance(probability: number): boolean;
  among<T>(values: readonly T[]): T;
  /** One of the keys, as often as its number says. */
  weighed<K extends string>(weights: Readonly<Record<K, number>>): K;
}

export function choicesFrom(seed: string): Choices {
  const random = randomFrom(seed);
  const below = (limit: number) => Math.min(limit - 1, Math.floor(random() * limit));
  return {
    below,
    chance: (probability) => random() < probability,
    among: (values) => {
      if (values.length === 0) throw new Error("there is nothing to choose from");
      return values[below(values.length)] as (typeof values)[number];
    },
    weighed(weights) {
      const entries = Object.entries<number>(weights);
      let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [key, weight] of entries) {
        left -= weight;
        if (left < 0) return key as keyof typeof weights;
      }
      return entries.at(-1)?.[0] as keyof typeof weights;
    },
  };
}
