//! Everything goes wrong at random.
