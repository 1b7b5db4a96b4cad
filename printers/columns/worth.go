package columns

// Worth returns what a column is worth to a reader whose terminal is too
// narrow for the table: of the columns that don't fit, those with the least
// worth are left out. least is the width below which the column's cells are not
// cut; 0: no width of its own.
func Worth(header string) (worth, least int) {
	switch header {
	case "SEVERITY", "CDS", "LDS", "EDS", "RDS", "STATE", "STATUS", "REASON", "KIND":
		return 90, 0
	case "NAME":
		return 100, 40
	case "ENDPOINT", "SERVICE FQDN", "ADDRESSES", "POD NAME", "POLICY NAME", "SUBJECT", "RESOURCE":
		return 100, 24
	case "PROXY":
		return 95, 24
	case "PORT", "MATCH", "DESTINATION", "GOES TO", "CLUSTER", "MESSAGE", "PATH", "EXPIRES IN", "ERROR", "ENVOY", "ISTIOD":
		return 80, 16
	case "SUBSET":
		return 75, 6
	case "VIRTUAL SERVICE", "VALID CERT", "HEALTH", "DESTINATION RULE", "SDS", "ECDS", "BEHIND":
		return 70, 14
	case "VHOST", "ENDPOINTS", "NOT AFTER":
		return 60, 16
	case "TYPE", "DIRECTION", "NDS", "PCDS", "WDS", "WADS":
		return 50, 0
	case "VERSION", "PILOT", "REVISION":
		return 30, 0
	case "DOMAINS", "SERIAL NUMBER", "NOT BEFORE", "TRUST DOMAIN", "LABELS", "UPDATED", "AGE", "CREATED":
		return 20, 0
	}
	return 55, 0
}
