"""Where events go: InfluxDB, as line protocol."""
