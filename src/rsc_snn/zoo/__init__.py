"""The zoo: trained networks that come with the package, a folder each, and how one is added (docs/zoo.md)."""
