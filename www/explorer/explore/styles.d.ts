/** Vite makes style sheets of these; to TypeScript they are imported for their effect alone. */
declare module '*.css' {}
