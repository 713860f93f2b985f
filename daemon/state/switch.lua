-- A tenant's copy takes the place of what stood there: all of it, or nothing. daemon/state/switch.c makes the arguments.
--
-- KEYS  1 state hash, 2 that of the copy, then the keys that go, then pairs: a key of the copy (if it is there) and what it becomes
-- ARGV  1 the version expected in the state hash, 2 that in the copy's, 3 how many keys go, then field, value … to be set in the
--       new state hash
-- Returns {1, version} or {0, version found}. An error has written nothing.
local call = redis.call
local state, copy, gone = KEYS[1], KEYS[2], tonumber(ARGV[3])

local found = call('HGET', state, 'version') or '0'
if found ~= ARGV[1] then return {0, found} end
if (call('HGET', copy, 'version') or '0') ~= ARGV[2] then return {0, found} end
for i, command in ipairs({{'UNLINK', state}, {'RENAME', copy, state}, {'EXISTS', copy}}) do
  if not redis.acl_check_cmd(unpack(command)) then
    return redis.error_reply('NOPERM this user may not run ' .. command[1] .. ' on ' .. command[2])
  end
end

local now = call('TIME')
local version = string.format('%.0f', math.max(found + 1, now[1] * 1000000 + now[2]))
call('HSET', copy, 'version', version, 'rebuilt', version) -- the first write: what can refuse does so here
for i = 4, #ARGV, 2 do call('HSET', copy, ARGV[i], ARGV[i + 1]) end
for i = 3, 2 + gone do call('UNLINK', KEYS[i]) end
for i = 3 + gone, #KEYS, 2 do
  if call('EXISTS', KEYS[i]) == 1 then call('RENAME', KEYS[i], KEYS[i + 1]) end
end
return {1, version}
