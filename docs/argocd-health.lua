-- Health of a LoadTest for Argo CD: resource.customizations.health.loadtest.dev_LoadTest in argocd-cm.
-- Without it Argo CD knows nothing of the kind and takes it as healthy once it is created.
local function progressing(message)
  return {status = "Progressing", message = message}
end

local status = obj.status
if status == nil or status.conditions == nil then
  return progressing("the operator has not seen it yet")
end
if status.observedGeneration == nil or status.observedGeneration ~= (obj.metadata.generation or status.observedGeneration) then
  return progressing("the operator has not seen this spec yet")
end

local by_type = {}
for _, condition in ipairs(status.conditions) do
  by_type[condition.type] = condition
end

local function says(condition)
  return (condition.reason or "") .. ": " .. (condition.message or "")
end

local stalled, busy, ready = by_type.Stalled, by_type.Reconciling, by_type.Ready
if stalled ~= nil and stalled.status == "True" then
  return {status = "Degraded", message = says(stalled)}
end
if busy ~= nil and busy.status == "True" then
  return progressing(says(busy))
end
if ready == nil then
  return progressing("there is no condition Ready yet")
end
if ready.reason == "Suspended" then
  return {status = "Suspended", message = says(ready)}
end
if ready.status == "True" then
  return {status = "Healthy", message = says(ready)}
end
if ready.status == "False" then
  return {status = "Degraded", message = says(ready)}
end
return progressing(says(ready))
