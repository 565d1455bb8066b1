// Tells the log what a control refused: who, where, with which code. One gathering for each log, whatever policy runs.

import { createGathering, type Gathering } from '../audit/gathering.ts'
import type { ErrorCode } from '../errors/catalogue.ts'
import { callerNetwork } from '../policy/address.ts'
import type { AuditAction, AuditEvent, AuditSink } from '../ports/audit.ts'
import type { Needs } from './control.ts'
import type { Exchange } from './exchange.ts'

/** Tells of one refusal. */
export type Tell = (exchange: Exchange, action: AuditAction, more: Partial<AuditEvent>) => void

// Who tries what he may not do is judged by how often; of all else once is enough.
const ONE_BY_ONE = 4

const gatherings = new WeakMap<AuditSink, Gathering>()

function gatheringFor(sink: AuditSink, { clock, place }: Needs): Gathering {
  let known = gatherings.get(sink)
  if (known === undefined) {
    // Hosts of Fetch end timers with the request.
    known = createGathering(sink, clock, place === 'fetch' ? {} : { later })
    gatherings.set(sink, known)
    sink.beforeClose?.(known.flush)
  }
  return known
}

function later(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms) as unknown as { unref?(): void }
  timer.unref?.()
  return () => clearTimeout(timer as never)
}

/** Tells nothing where a policy is only tried, or there is no log. */
export function teller(needs: Needs): Tell {
  const { audit } = needs.services
  if (!audit || needs.trial !== undefined) return () => {}
  return (exchange, action, more) => {
    const { principal, cell, requestId } = exchange
    const address = addressOf(exchange)
    const event: AuditEvent = {
      action,
      outcome: 'denied',
      cell: cell.id,
      ...(principal && {
        organisation: principal.organisation,
        credential: principal.credential.id,
        ...(principal.subject !== undefined && { actor: principal.subject }),
      }),
      ...(address !== undefined && { address }),
      ...(requestId !== '' && { requestId }),
      ...more,
    }
    const caller = principal?.credential.id ?? (address === undefined ? '' : callerNetwork(address))
    gatheringFor(audit, needs).tell(
      event,
      `${action} ${event.code} ${cell.id} ${caller}`,
      action.startsWith('access.') ? ONE_BY_ONE : 1,
    )
  }
}

// What could not be read does not say for whom a declared proxy sent it, and the proxy itself is not to blame.
function addressOf({ client, incoming }: Exchange): string | undefined {
  return incoming.method === '' && client.viaProxy ? undefined : client.address
}

/** What the log is told of a control's refusals: one action for all, or one for each code that is told. */
export type Tells = AuditAction | Readonly<Partial<Record<ErrorCode, AuditAction>>>

/** The action of a refusal; `undefined` where it is not told of, or the control tells of it itself. */
export function actionOf(tells: Tells | undefined, code: ErrorCode): AuditAction | undefined {
  return typeof tells === 'object' ? tells[code] : tells
}
