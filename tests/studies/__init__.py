"""Studies over many random lines and years: small ones run as tests, whole ones as benchmarks."""
