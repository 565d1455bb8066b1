// Counters that processes share through Valkey or Redis. Apart from the records, so that neither needs the other's client.

export {
  type ValkeyClient,
  type ValkeyCountersOptions,
  valkeyClientOptions,
  valkeyCounters,
} from './counters.ts'
