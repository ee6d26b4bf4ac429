-- wrk's script: POSTs the bodies of a file in turn, one a line, and prints what was measured as one line of JSON.
local bodies, at = {}, 0

function init(args)
   for line in io.lines(args[1]) do bodies[#bodies + 1] = line end
   wrk.method = "POST"
   wrk.headers["Content-Type"] = "application/json"
   if args[2] then wrk.headers["Authorization"] = "Bearer " .. args[2] end
end

function request()
   at = at % #bodies + 1
   return wrk.format(nil, nil, nil, bodies[at])
end

function done(summary, latency, requests)
   local e = summary.errors
   io.write(string.format(
      '\n{"p50":%.4f,"p95":%.4f,"p99":%.4f,"requests":%d,"seconds":%.4f,"faults":%d,"broken":%d}\n',
      latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000,
      summary.requests, summary.duration / 1e6, e.status, e.connect + e.read + e.write + e.timeout))
end
