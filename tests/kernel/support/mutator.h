// Random states of a container: a seeded walk of mount operations inside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace mntcr::sandbox {

/// What a container does besides what needs no choice.
struct MutatorChoices {
  /// What comes to lie over their layers makes that a capture cannot tell where these are.
  bool overlays = false;
  /// shared, slave, private and unbindable, plain and recursive.
  bool sharing = false;
};

/// Does what a container could do to its own mounts. Operations that the kernel refuses are passed
/// over.
class Mutator {
 public:
  /// To be made in the parent's namespace.
  explicit Mutator(unsigned seed, MutatorChoices choices = {});

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
  void bind(unsigned long flags);
  void share();

  std::mt19937 random_;
  MutatorChoices choices_;
  int overlays_ = 0;
  std::vector<std::string> mounted_;  ///< where something was mounted at some time
  std::uint64_t parents_ = 0;         ///< the device on which the parent's directories lie
};

/// A number from an environment variable.
std::size_t count_from_environment(const char* name, std::size_t otherwise);

}  // namespace mntcr::sandbox
