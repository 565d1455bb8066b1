// What a gateway is started with, and what a running one offers.

import type { AddressInfo } from 'node:net'
import type { StoreEvent } from '@sallyport/store'
import type { PolicyDocument, Services } from 'sallyport'
import type { Guard } from 'sallyport/node'
import type { ControlPlane } from './admin/control-plane.ts'
import type { AdminSetting } from './admin/setting.ts'
import type { ReadingLimits } from './front/slow-readers.ts'
import type { AccessLogSetting } from './log/setting.ts'
import type { Documents } from './operation.ts'
import type { ProxyProtocolSetting } from './proxy-protocol/setting.ts'
import type { ReloadOutcome, Source } from './reload/reloader.ts'
import type { PlacesSetting } from './services/setting.ts'
import type { Timers } from './status/stream.ts'
import type { ListenerCertificate } from './tls/material.ts'
import type { TlsSetting } from './tls/setting.ts'
import type { DaySecret } from './tls/ticket-keys.ts'
import type { RoutesSetting, UpstreamsSetting } from './upstream/setting.ts'
import type { UpstreamKeepAlive } from './upstream/transfer-site.ts'
import type { ForwardLimits, UpstreamReport } from './upstream/upstream.ts'

/** Where a gateway listens. */
export interface ListenOptions {
  readonly host: string
  readonly port: number
  /** A listening or bound socket that was handed over by the parent process; it wins over the address. */
  readonly fd?: number
  /** Several processes listen on the same port, and the system shares the connections out. */
  readonly reusePort?: boolean
  /** Every connection begins with a PROXY protocol header, and only these peers may send one. */
  readonly proxyProtocol?: ProxyProtocolSetting
}

/** The part of a configuration that a reload takes in. */
export interface Behind {
  /** Absent where the gateway was given its upstream in another way, which stays. */
  readonly upstreams?: UpstreamsSetting
  readonly routes?: RoutesSetting
  /** Names of settings that have changed and take a restart. */
  readonly takesRestart?: readonly string[]
}

/** What a gateway is started with. */
export interface GatewayOptions {
  readonly policy: PolicyDocument
  /** The origin of the API behind: `http://127.0.0.1:9000`. In its place several can be given, by name. */
  readonly upstream?: string | URL
  /** The APIs behind, by name. Files are read when the gateway starts. */
  readonly upstreams?: UpstreamsSetting
  /** The name of an upstream by path pattern; the only upstream has every path where this is left out. */
  readonly routes?: RoutesSetting
  /** Port 0 takes any that is free. */
  readonly listen: ListenOptions
  /**
   * PEM texts, or files, which a reload reads anew; where the policy ends TLS here and there is no certificate, a local one
   * is made.
   */
  readonly tls?: ListenerCertificate | TlsSetting
  /** Keeps the keys of session tickets equal in several processes; at random unless it is said. */
  readonly ticketSecret?: DaySecret
  /** Whether HTTP/2 is offered beside HTTP/1.1 where TLS ends here; it is, unless it is said. */
  readonly http2?: boolean
  /** The folder of local state, for the local certificate; `.sallyport`. */
  readonly stateFolder?: string
  /** The folder with what stands beside the policy on its page: accepted weaknesses, changes, the last verification. */
  readonly postureFolder?: string
  /** Whether the gateway answers `/v1/status` and `/v1/status/stream` itself; not unless it is said. */
  readonly status?: boolean
  /** Over what holds for every upstream. */
  readonly limits?: Partial<ForwardLimits>
  /** How slowly a client may take its answer: 1 KB a second, from 30 s on. */
  readonly reading?: ReadingLimits
  /** Which connections to the upstream carry another request; `clean`. */
  readonly upstreamKeepAlive?: UpstreamKeepAlive
  /** Milliseconds since the epoch; `Date.now`. */
  readonly clock?: () => number
  readonly timers?: Timers
  /** Where the policy is read anew, on request and when its files change; without it nothing can be reloaded. */
  readonly source?: Source<Documents<Behind>>
  /** Whether files are watched and a change is a reload; they are. */
  readonly watch?: boolean
  /** The operator's listener; none unless it is said. */
  readonly admin?: AdminSetting
  /** One line of JSON for each request; none unless it is said. */
  readonly accessLog?: AccessLogSetting
  /** What `POST /drain` does; `close`, unless it is said. */
  readonly onDrain?: () => void
  /** What controls need from outside: places that count, records of keys, a log; counters in memory unless it is said. */
  readonly services?: Services
  /** Where records, counters and secrets are; opened with the gateway and closed with it. */
  readonly places?: PlacesSetting
  /** How many processes there are, this one included; 1. */
  readonly processes?: number
  /** Keeps the ids of credentials in reports equal in several processes; at random unless it is said. */
  readonly credentialKey?: Buffer
  /** Takes what an operator should know; nothing of it holds a secret. */
  readonly log?: (event: GatewayEvent) => void
}

/** Something that an operator should know. */
export interface GatewayEvent {
  readonly event:
    | 'upstream-failed'
    | 'handler-failed'
    | 'accept-failed'
    | 'connection-refused'
    | 'tls-fault'
    | 'reloaded'
    | 'reload-refused'
    | 'process-ended'
    | 'counters-away'
    | 'counters-back'
    | 'clock-jumped'
    | `store-${StoreEvent}`
  /** Empty where there is no request, or the policy asks for no id. */
  readonly requestId: string
  /** The id of the policy's cell; empty where there is no request. */
  readonly route: string
  /** An error code; of a reload the digest of the new policy, or what is wrong with it, a line for each mistake. */
  readonly reason: string
}

/** A running gateway. */
export interface Gateway {
  /** `https://127.0.0.1:8443`. */
  readonly url: string
  readonly address: AddressInfo
  /** What controls in report mode would have done, as the guard counts it. */
  readonly wouldDo: Guard['wouldDo']
  /** Where the operator's listener is, where there is one. */
  readonly adminUrl: string | undefined
  /** What an operator sees and does; the admin listener asks the same. */
  readonly plane: ControlPlane
  /** How each upstream and its addresses have done. */
  upstreams(): readonly UpstreamReport[]
  /** Reads the policy anew; requests under way keep theirs. `undefined` where there is no source. */
  reload(): Promise<ReloadOutcome | undefined>
  /** Opens the access log anew, after rotation. When it is done, nothing more comes to the old file. */
  reopenLog(): Promise<void>
  /**
   * Says that it drains, and takes requests for `waitMs` more, until the front knows; then takes no more, lets those
   * under way end, and breaks off what is left after `graceMs`.
   */
  close(options?: CloseOptions): Promise<{ readonly brokenOff: number }>
}

/** Milliseconds. */
export interface CloseOptions {
  readonly graceMs?: number
  readonly waitMs?: number
  /**
   * How long an idle connection may still send its next request, which is answered and the last; 0. Whoever sends while
   * a connection is closed under it must ask again, and not every client does.
   */
  readonly lingerMs?: number
}

/** How long requests may take to end when a gateway closes and nothing is said; milliseconds. */
export const DEFAULT_GRACE_MS = 10_000
