// What is told of a key and the request that shows it, to the log.

import type { Needs } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import type { AuditAction, AuditEvent } from '../../ports/audit.ts'
import type { KeyRecord } from '../../ports/keys.ts'

export type Tell = (exchange: Exchange, action: AuditAction, more: Partial<AuditEvent>) => void

/** Tells nothing where a policy is only tried. */
export function teller({ services, trial }: Needs): Tell {
  return (exchange, action, more) => {
    if (trial !== undefined || services.audit === undefined) return
    const { address } = exchange.client
    const { requestId } = exchange
    services.audit.record({
      action,
      outcome: 'denied',
      control: 'SP-KEYS-01',
      cell: exchange.cell.id,
      ...(address === undefined ? {} : { address }),
      ...(requestId === '' ? {} : { requestId }),
      ...more,
    })
  }
}

/** Whose key it is. */
export function ofRecord({ id, organisation, owner }: KeyRecord): Partial<AuditEvent> {
  return { organisation, actor: owner, credential: id, target: id }
}
