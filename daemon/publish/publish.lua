-- Puts a tenant's reports and standard numbers where dashboards read them: each only over a lower version.
-- daemon/state/published.c makes the arguments.
--
-- KEYS  1 versions (hash: report -> version of its document), 2 the tenant's state, then the key of each report, then that of each period
-- ARGV  1 the channel for hints, 2 the number of reports
--       per report: its name, version, document, hint
--       per period: its version, the version that these numbers change ('0': they are all), the number of arguments that follow for it,
--       these: metric, number, metric, number …
-- Returns for each report: was it stored? For each period: could it be, or did it change another version? 1 or 0. Behind these: the
-- version at which the tenant stands. An error has written nothing.
local call = redis.call
local versions, channel, n_reports = KEYS[1], ARGV[1], tonumber(ARGV[2])

local function version_of(key, field)
  return tonumber(call('HGET', key, field) or -1)
end

-- Whatever can refuse does so here, as in commit.lua: SETRANGE of nothing changes nothing, but asks for all that SET needs.
local at, newer, stored = 3, {}, {}
for i = 3, n_reports + 2 do
  call('SETRANGE', KEYS[i], 0, '')
  local is = tonumber(ARGV[at + 1]) > version_of(versions, ARGV[at])
  if is then newer[i] = at end
  stored[i - 2] = is and 1 or 0
  at = at + 4
end
call('HDEL', versions, '')
for i = n_reports + 3, #KEYS do
  local stands, is = version_of(KEYS[i], 'version'), tonumber(ARGV[at])
  local fits = ARGV[at + 1] == '0' or tonumber(ARGV[at + 1]) == stands
  if is > stands and fits then newer[i] = at end
  stored[i - 2] = (is <= stands or fits) and 1 or 0
  at = at + 3 + ARGV[at + 2]
end
stored[#KEYS - 1] = tonumber(call('HGET', KEYS[2], 'version') or 0)

local function store_report(key, name, version, document, hint)
  call('HSET', versions, name, version)
  call('SET', key, document)
  redis.pcall('PUBLISH', channel, hint) -- a hint: the key is the truth
end

local function store_period(key, version, changed, first, n)
  call('HSET', key, 'version', version) -- before DEL, which does not ask about memory
  if changed == '0' then
    call('DEL', key)
    call('HSET', key, 'version', version)
  end
  for from = first, first + n - 1, 1000 do
    call('HSET', key, unpack(ARGV, from, math.min(from + 999, first + n - 1)))
  end
end

for i = 3, #KEYS do
  at = newer[i]
  if at and i <= n_reports + 2 then
    store_report(KEYS[i], unpack(ARGV, at, at + 3))
  elseif at then
    store_period(KEYS[i], ARGV[at], ARGV[at + 1], at + 3, ARGV[at + 2])
  end
end
return stored
