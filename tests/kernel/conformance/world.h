// Cases that say what a kernel does to mounts, written once and run on Linux and on the model.
//
// A case does not use Catch2: it tells a World what it expects, so that it can also be run on a
// model with a broken rule, of which it must then complain. What stands in the end is compared
// between the two kernels as well.
#pragma once

#include <cerrno>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/kernel/kernel.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/model/kernel_rule.h"

namespace mntcr::conformance {

/// A call that the case takes for granted failed.
class Unexpected : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A small world: a mount namespace with a private tmpfs as its root, in which there are
/// directories a and b, three deep, and a file f; and another namespace like it, from which to
/// read.
class World {
 public:
  /// Copies a namespace (an fd of it) into a new user namespace.
  using UsernsClone = std::function<Result<Fd>(World&, int)>;

  /// Opens /proc, which the kernel must have.
  World(Kernel& with, UsernsClone clone);

  /// The calling task stands in a namespace whose root is an empty private tmpfs.
  void begin();

  Kernel& kernel;

  // Operations: 0, or the errno.
  int mount(const std::string& path);  ///< a new tmpfs, with the directories two deep and a file f
  int bind(const std::string& from, const std::string& to, bool recursive = false);
  int move(const std::string& from, const std::string& to, unsigned flags = 0);
  int beneath(const std::string& from, const std::string& to) {
    return move(from, to, abi::move_mount_beneath);
  }
  int umount(const std::string& path, int flags = abi::mnt_detach);
  int change(const std::string& path, std::uint64_t type, bool recursive = false);
  int attach(const Fd& tree, const std::string& path, unsigned flags = 0);
  int attach_in(const Fd& tree, const Fd& parent, const std::string& path);
  int set_group(const Fd& from, const Fd& to);
  int set_attrs(const std::string& path, std::uint64_t set, std::uint64_t clear = 0);

  // Things.
  Fd open(const std::string& path);
  Fd tree(const std::string& path, bool recursive = false);  ///< a detached clone
  Fd tmpfs();  ///< a detached tmpfs, filled as by mount()
  Fd own_namespace();
  /// A copy of the present namespace; the task stays. It is compared in the end.
  int copy_namespace();
  /// The same in a new user namespace.
  int copy_into_userns();
  /// Goes to a copy by its number, 0 for the first namespace.
  void enter(int number);

  // Facts of what is topmost at a path.
  bool is_mount(const std::string& path);
  bool is_mount_in(const Fd& tree, const std::string& path);
  /// How many mounts there are below the root.
  std::size_t count();
  std::uint64_t id(const std::string& path);
  std::uint64_t parent_id(const std::string& path);
  std::uint64_t group(const std::string& path);
  std::uint64_t master(const std::string& path);
  bool unbindable(const std::string& path);
  MountStatus status(const std::string& path);
  MountStatus status(const Fd& file);
  MountStatus status_of(std::uint64_t id);
  /// What a mount stands on, so many steps up.
  std::uint64_t above(std::uint64_t id, int steps);
  bool peers(const std::string& a, const std::string& b);

  /// What the case says of the kernel.
  void expect(bool true_thing, const std::string& what);
  void refused(int number, int expected, const std::string& what);
  void works(int number, const std::string& what) { refused(number, 0, what); }
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }
  void complain(std::string what) { complaints_.push_back(std::move(what)); }

  /// All namespaces of the case as text, groups and superblocks by letters. Ends the case.
  std::vector<std::string> picture();

  template <class T>
  T need(Result<T> result) {
    if (!result) throw Unexpected(result.error().message);
    return std::move(*result);
  }
  void need(const Result<void>& result) {
    if (!result) throw Unexpected(result.error().message);
  }

  [[nodiscard]] const Fd& proc() const { return proc_; }

 private:
  void fill(int dir, int depth);

  UsernsClone clone_;
  Fd proc_;
  Fd outside_;
  std::vector<Fd> namespaces_;
  std::vector<std::string> complaints_;
};

struct Case {
  const char* title;
  std::vector<KernelRule> rules;  ///< which it shows, one by one, to be in force
  bool recent;                    ///< needs statmount, or what came with it
  std::function<void(World&)> run;
};

std::vector<Case> attaching_cases();
std::vector<Case> cloning_cases();
std::vector<Case> changing_cases();
std::vector<Case> umounting_cases();
std::vector<Case> moving_cases();
std::vector<Case> namespace_cases();
std::vector<Case> file_cases();
std::vector<Case> all_cases();

/// What a run of a case came to.
struct Verdict {
  std::vector<std::string> complaints;
  std::vector<std::string> picture;  ///< empty where the kernel cannot be read
};

Verdict run_on_model(const Case& tried, std::optional<KernelRule> broken = std::nullopt);
/// With a picture if the kernel can be read by statmount.
Verdict run_on_linux(const Case& tried, bool reads);

}  // namespace mntcr::conformance
