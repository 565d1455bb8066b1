// What makes scanners of code know keys of a vendor: a rule for gitleaks, and the pattern that GitHub asks partners for.

import { isVendor } from './format.ts'

/** Rules for scanners. */
export interface ScannerRules {
  /** A regular expression that any scanner reads: no look-around, no back-reference. */
  readonly pattern: string
  /** A `[[rules]]` table of a gitleaks configuration. */
  readonly gitleaks: string
}

/**
 * The rules for a vendor's secret keys; publishable ones are public.
 *
 * @throws RangeError where the name is none that keys may carry
 */
export function scannerRules(vendor: string): ScannerRules {
  if (!isVendor(vendor)) throw new RangeError(`${JSON.stringify(vendor)} is no name that keys may carry.`)
  const pattern = `sk_${vendor}_(live|test)_[0-9A-Za-z]{38}`
  return {
    pattern,
    gitleaks: `[[rules]]
id = "${vendor}-secret-key"
description = "A secret API key of ${vendor}: revoke it, then find out who has read it."
regex = '''\\b(${pattern})\\b'''
secretGroup = 1
keywords = ["sk_${vendor}_"]
`,
  }
}
