// The one script that counts in Valkey or Redis: all buckets of a request in one round trip, on the server's clock, all
// or none. The algorithms are those of the counters in memory.

import { createHash } from 'node:crypto'

/**
 * KEYS: one per bucket. ARGV: `take`, `peek`, `refund` or `probe`; the time of the take (refund only); then for each
 * bucket algorithm, limit, window in microseconds, cost, burst.
 * Answers: 1 or 0, the time in microseconds, then for each bucket fits, remaining, reset and wait (-1: never).
 *
 * A server clock that stepped back counts as no time: what is kept is moved back with it.
 */
export const counterScript = `
if redis.replicate_commands then redis.replicate_commands() end
local mode = ARGV[1]
if mode == 'probe' then redis.call('SET', KEYS[1], '1', 'PX', 1000) return 1 end
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local slack = 0.01
local packed = '<d' .. string.rep('I4', 16)
local function text(number) return string.format('%.0f', number) end

local function run(key, index)
  local item = redis.call('LINDEX', key, index)
  if not item then return nil end
  local at, sum, amount = string.match(item, '^(%d+):(%d+):(%d+)$')
  return tonumber(at), tonumber(sum), tonumber(amount)
end
local function write(at, sum, amount) return text(at) .. ':' .. text(sum) .. ':' .. text(amount) end

local exact = {}
function exact.load(key, b)
  local s = { used = 0, sum = 0 }
  local last = run(key, -1)
  if last and last > now then
    local items = redis.call('LRANGE', key, 0, -1)
    redis.call('DEL', key)
    for _, item in ipairs(items) do
      local at, rest = string.match(item, '^(%d+)(:.*)$')
      redis.call('RPUSH', key, text(at - (last - now)) .. rest)
    end
    redis.call('PEXPIRE', key, math.ceil(b.window / 1000) + 1)
  end
  local at, sum, amount = run(key, 0)
  while at and at + b.window <= now do
    redis.call('LPOP', key)
    at, sum, amount = run(key, 0)
  end
  if at then
    local newest, total = run(key, -1)
    s.base = sum - amount
    s.used = total - s.base
    s.sum = total
    s.last = newest
  end
  return s
end
function exact.check(key, b, s, cost)
  local reset = s.used > 0 and s.last + b.window - now or 0
  if s.used + cost <= b.limit then return true, b.limit - s.used, reset, 0 end
  if cost > b.limit then return false, math.max(0, b.limit - s.used), reset, -1 end
  local need = s.base + s.used + cost - b.limit
  local low, high = 0, redis.call('LLEN', key) - 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    local _, sum = run(key, middle)
    if sum >= need then high = middle else low = middle + 1 end
  end
  return false, math.max(0, b.limit - s.used), reset, run(key, low) + b.window - now
end
function exact.commit(key, b, s)
  s.sum = s.sum + b.cost
  redis.call('RPUSH', key, write(now, s.sum, b.cost))
  redis.call('PEXPIRE', key, math.ceil(b.window / 1000) + 1)
  return b.window
end
function exact.refund(key, b, s, taken)
  if taken + b.window <= now then return end
  local left = b.cost
  local at, sum, amount = run(key, 0)
  while at and left > 0 do
    if amount <= left then
      redis.call('LPOP', key)
      left = left - amount
      at, sum, amount = run(key, 0)
    else
      redis.call('LSET', key, 0, write(at, sum, amount - left))
      left = 0
    end
  end
end

local strict = {}
function strict.save(key, s)
  redis.call('SET', key, struct.pack(packed, s.now, s.counts[0], unpack(s.counts, 1, 15)), 'PX', s.width / 1000 * 16 + 1)
end
function strict.load(key, b)
  local s = { width = math.ceil(b.window / 15000) * 1000, counts = {}, used = 0 }
  s.now = math.floor(now / s.width)
  local kept = redis.call('GET', key)
  local old = kept and { struct.unpack(packed, kept) } or {}
  local behind = math.max(0, s.now - (old[1] or 0))
  for age = 0, 15 do
    local count = old[2 + age - behind]
    if age < behind or not kept then count = 0 end
    s.counts[age] = count or 0
    s.used = s.used + s.counts[age]
  end
  if kept and old[1] > s.now then strict.save(key, s) end
  return s
end
local function leaves(s, age) return (s.now - age + 16) * s.width - now end
function strict.check(key, b, s, cost)
  local reset, retry = 0, 0
  for age = 15, 0, -1 do if s.counts[age] > 0 then reset = leaves(s, age) end end
  local fits = s.used + cost <= b.limit
  if not fits then
    retry = -1
    local left = s.used + cost - b.limit
    if cost <= b.limit then
      for age = 15, 0, -1 do
        left = left - s.counts[age]
        if left <= 0 then retry = leaves(s, age) break end
      end
    end
  end
  return fits, math.max(0, b.limit - s.used), reset, retry
end
function strict.commit(key, b, s)
  s.counts[0] = s.counts[0] + b.cost
  strict.save(key, s)
  return leaves(s, 0)
end
function strict.refund(key, b, s, taken)
  local age = math.max(0, s.now - math.floor(taken / s.width))
  if age > 15 then return end
  s.counts[age] = math.max(0, s.counts[age] - b.cost)
  strict.save(key, s)
end

local smooth = {}
function smooth.save(key, b, s)
  redis.call('SET', key, struct.pack('<dd', s.level, now), 'PX', math.ceil(s.level * b.window / b.limit / 1000) + 1)
  return s.level * b.window / b.limit
end
function smooth.load(key, b)
  local s = { level = 0 }
  local kept = redis.call('GET', key)
  if kept then
    local level, at = struct.unpack('<dd', kept)
    s.level = math.max(0, level - math.max(0, now - at) * b.limit / b.window)
    if at > now and s.level > 0 and b.limit > 0 then smooth.save(key, b, s) end
  end
  return s
end
function smooth.check(key, b, s, cost)
  local remaining = math.max(0, math.floor(b.burst - s.level + slack))
  local reset = b.limit > 0 and s.level * b.window / b.limit or 0
  if s.level + cost <= b.burst + slack then return true, remaining, reset, 0 end
  if cost > b.burst then return false, remaining, reset, -1 end
  return false, remaining, reset, (s.level + cost - b.burst) * b.window / b.limit
end
function smooth.commit(key, b, s)
  s.level = s.level + b.cost
  return smooth.save(key, b, s)
end
function smooth.refund(key, b, s, taken)
  local left = b.cost - (math.max(0, now - taken) + 1000) * b.limit / b.window
  if left <= 0 then return end
  s.level = math.max(0, s.level - left)
  smooth.save(key, b, s)
end

local algorithms = { exact = exact, strict = strict, smooth = smooth }
local buckets, answer, all, sums = {}, { 1, now }, true, {}
for index, key in ipairs(KEYS) do
  local first = 3 + (index - 1) * 5
  local b = {
    algorithm = algorithms[ARGV[first]], limit = tonumber(ARGV[first + 1]), window = tonumber(ARGV[first + 2]),
    cost = tonumber(ARGV[first + 3]), burst = tonumber(ARGV[first + 4]),
  }
  buckets[index] = b
  local state = b.algorithm.load(key, b)
  if mode == 'refund' then
    b.algorithm.refund(key, b, state, tonumber(ARGV[2]))
  else
    sums[key] = (sums[key] or 0) + b.cost
    local fits, remaining, reset, retry = b.algorithm.check(key, b, state, sums[key])
    all = all and fits
    local at = #answer
    answer[at + 1] = fits and 1 or 0
    answer[at + 2] = remaining
    answer[at + 3] = math.ceil(reset)
    answer[at + 4] = math.ceil(retry)
  end
end
answer[1] = all and 1 or 0
if mode == 'take' and all then
  for index, key in ipairs(KEYS) do
    local b = buckets[index]
    answer[index * 4 + 1] = math.ceil(b.algorithm.commit(key, b, b.algorithm.load(key, b)))
    answer[index * 4] = math.max(0, answer[index * 4] - b.cost)
  end
end
return answer
`

/** How the server knows the script. */
export const counterScriptDigest = createHash('sha1').update(counterScript).digest('hex')
