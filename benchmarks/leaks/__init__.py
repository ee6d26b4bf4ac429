"""Whether anything that is to be forgotten leaves the proxy, on any endpoint, in any form."""
