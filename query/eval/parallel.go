package eval

func (m *mach) pipe(e *env, in pv, a, b *node, y yield) error {
	return a.gen(m, e, in, func(v pv) error { return b.run(m, e, v, y) })
}

func (m *mach) scouted(e *env, in pv, src *node, look func(*mach, pv) error, use yield) error {
	return src.run(m, e, in, use)
}
