// The one compilation of Catch2's main for tests that need no set-up.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
