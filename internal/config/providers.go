package config

func (c *Config) checkProviders(d *decoder) {}
