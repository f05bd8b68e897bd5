const DAY_MS = 86_400_000;
const CLOCK_SKEW_MS = 3_600_000;

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * From one hour ago, for clients whose clock is behind, to `lifetimeDays` from now, never outside `within` (the CA's
 * own validity): a certificate that outlives its CA only looks valid.
 */
export function validityFrom(now: Date, lifetimeDays: number, within?: Validity): Validity {
  const from = now.getTime() - CLOCK_SKEW_MS;
  const to = now.getTime() + lifetimeDays * DAY_MS;
  return {
    notBefore: new Date(within === undefined ? from : Math.max(from, within.notBefore.getTime())),
    notAfter: new Date(within === undefined ? to : Math.min(to, within.notAfter.getTime())),
  };
}

/** When one of ours was made: `notBefore` allows for clocks that are behind. */
export function madeAt(certificate: { readonly validFrom: string }): Date {
  return new Date(Date.parse(certificate.validFrom) + CLOCK_SKEW_MS);
}
