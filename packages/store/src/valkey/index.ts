// Counters that processes share through Valkey or Redis. Apart from the records, so that neither needs the other's client.

export {
  type ValkeyClient,
  type ValkeyCounters,
  type ValkeyCountersOptions,
  type ValkeyState,
  valkeyClientOptions,
  valkeyCounters,
} from './counters.ts'
