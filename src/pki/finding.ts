/** One observation about a certificate or key. `error`: clients refuse it. `warning`: some do, or will. `info`: handled. */
export interface Finding {
  /** Stable, append-only: `SAN_MISSING_HOST`. */
  readonly code: string;
  readonly severity: "error" | "warning" | "info";
  readonly message: string;
  readonly hint?: string;
}

/** `hint`: the next command or edit. */
export function errorFinding(code: string, message: string, hint: string): Finding {
  return { code, severity: "error", message, hint };
}

export function warningFinding(code: string, message: string, hint?: string): Finding {
  return { code, severity: "warning", message, ...(hint === undefined ? {} : { hint }) };
}

export function infoFinding(code: string, message: string): Finding {
  return { code, severity: "info", message };
}
