"""What every room speaks: types, registry, config, seeds, errors."""
