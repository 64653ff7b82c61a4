// Random states of a container: a seeded walk of mount operations inside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

namespace mntcr::sandbox {

/// Does what a container could do to its own mounts. Operations that the kernel refuses are passed
/// over.
class Mutator {
 public:
  /// To be made in the parent's namespace. Overlays are made only where `overlays` says so: what
  /// comes to lie over their layers makes that a capture cannot tell where these are.
  explicit Mutator(unsigned seed, bool overlays = false);

  /// Makes directories below `path` to mount on.
  static void populate(const std::string& path);

  /// One operation, in the namespace of the calling thread.
  void step();

 private:
  std::size_t below(std::size_t n);
  std::string path();
  void make_node(const std::string& path);
  void bind_and_remove();
  void overlay();
  void remove(const std::string& path);
  void remount();

  std::mt19937 random_;
  bool may_overlay_ = false;
  int overlays_ = 0;
  std::uint64_t parents_ = 0;  ///< the device on which the parent's directories lie
};

/// A number from an environment variable.
std::size_t count_from_environment(const char* name, std::size_t otherwise);

}  // namespace mntcr::sandbox
