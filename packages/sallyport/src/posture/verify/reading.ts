// Where a request can be read in two ways, an answer that suits one of them is right.

import type { Observation, ProbeRequest } from '../../guard/control.ts'
import type { WireAnswer } from '../wire/send.ts'
import { compareAnswer, type Judged } from './compare.ts'
import type { Expectation, Oracle } from './oracle.ts'

/**
 * Judges an answer by the reading of its request that it suits best.
 *
 * @param nonces those seen in this run, and where
 * @param shown whether a credential of a role was sent
 */
export function bestReading(
  oracle: Oracle,
  request: ProbeRequest,
  answer: WireAnswer,
  nonces: Map<string, Observation>,
  shown = false,
): { readonly expected: Expectation; readonly judged: readonly Judged[] } {
  const readings = oracle.expect(request, answer, shown).map((expected) => ({
    expected,
    judged: compareAnswer(expected, answer, !('raw' in request), nonces),
  }))
  const faults = ({ judged }: { readonly judged: readonly Judged[] }) =>
    judged.reduce((sum, { findings }) => sum + findings.length, 0)
  return readings.reduce((best, each) => (faults(each) < faults(best) ? each : best))
}
