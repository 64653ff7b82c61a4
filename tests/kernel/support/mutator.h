// Random states of a container: a seeded walk of mount operations inside it.
#pragma once

#include <cstddef>
#include <random>
#include <string>

namespace mntcr::sandbox {

/// Does what a container could do to its own mounts. Operations that the kernel refuses are passed
/// over.
class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  /// Makes directories below `path` to mount on.
  static void populate(const std::string& path);

  /// One operation, in the namespace of the calling thread.
  void step();

 private:
  std::size_t below(std::size_t n);
  std::string path();
  void remount();

  std::mt19937 random_;
};

/// A number from an environment variable.
std::size_t count_from_environment(const char* name, std::size_t otherwise);

}  // namespace mntcr::sandbox
