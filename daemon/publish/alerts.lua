-- Changes a tenant's alerts, with the events that tell of it, if they are still those that were read.
-- daemon/state/alerts.c makes the arguments.
--
-- KEYS  1 alerts (hash: row -> its state), 2 unsent, 3 unposted (hashes: version and row -> event), 4 the tenant's state
-- ARGV  1 the version of the alerts as read ("0": none), 2 the tenant's version whose numbers were judged, 3 the version to write
--       then per change: row, its state ("": none), name of its event, the event ("": none), "1" where it is posted, too
-- Returns {0, tenant's version now}: stored, or nothing was to be stored; {1, …}: somebody else changed the alerts; {2, …}: they
-- were judged by newer numbers already. An error has written nothing.
local call = redis.call
local alerts, unsent, unposted, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

local found = call('HGET', alerts, ':version') or '0'
local now = call('HGET', state, 'version') or '0'
if found ~= ARGV[1] then return {1, now} end
if tonumber(call('HGET', alerts, ':tenant_version') or 0) > tonumber(ARGV[2]) then return {2, now} end
if #ARGV == 3 then return {0, now} end

-- Whatever can refuse does so here, as in commit.lua: the first write asks for memory and rights, the others for types.
call('HLEN', unsent)
call('HLEN', unposted)
call('HSET', alerts, ':tenant_version', call('HGET', alerts, ':tenant_version') or 0)
call('HDEL', alerts, '')

local function put(key, field, value)
  if value == '' then call('HDEL', key, field) else call('HSET', key, field, value) end
end

call('HSET', alerts, ':version', ARGV[3], ':tenant_version', ARGV[2])
for at = 4, #ARGV, 5 do
  local row, text, name, event, posted = unpack(ARGV, at, at + 4)
  put(alerts, row, text)
  if event ~= '' then call('HSET', unsent, name, event) end
  if event ~= '' and posted == '1' then call('HSET', unposted, name, event) end
end
redis.pcall('PUBLISH', alerts, '{"version":' .. ARGV[3] .. '}') -- a hint: the hash is the truth
return {0, now}
