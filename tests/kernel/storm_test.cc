// A namespace that is read while its mounts change thousands of times a second: what comes back is
// a state that was there, or the refusal to tell. MNTCR_CAPTURES says how often it is read.
#include <fmt/format.h>
#include <sys/mman.h>
#include <time.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "runtime/capture/capture.h"
#include "runtime/capture/mount_watch.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;
using Clock = std::chrono::steady_clock;
using Operations = std::vector<std::function<void()>>;

template <class T>
T need(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

/// A round of operations that ends where it began. Each leaves a state of its own, and many change
/// several mounts at once, so that a mixture of two states is none of them. No group with slaves
/// loses its last member: a copy of the namespace, as the mountinfo reader makes, would keep it
/// alive, and that would be one more state.
Operations round_of_mounts(const std::string& dir) {
  const auto at = [dir](const char* name) { return dir + "/" + name; };
  const std::string a = at("a");
  const std::string b = at("b");
  const std::string c = at("c");
  const std::string e = at("e");
  return {
      [=] { mount_bind(at("s0"), a); },
      [=] { mount_bind(at("s1"), b); },
      [=] { propagate(a, MS_SHARED); },
      [=] { mount_bind(a, c); },
      [=] { mount_bind(at("s2"), a + "/k"); },  // and, by propagation, on c/k
      [=] { propagate(c, MS_SLAVE); },
      [=] { mount_move(a, e); },  // with what is on it
      [=] { propagate(b, MS_SHARED); },
      [=] { mount_new("", b, "", MS_BIND | MS_REMOUNT | MS_RDONLY); },
      [=] { propagate(c, MS_SHARED); },
      [=] { propagate(c, MS_REC | MS_PRIVATE); },
      [=] { mount_move(b, a); },
      [=] { propagate(a, MS_UNBINDABLE); },
      [=] { unmount(c); },  // and c/k
      [=] { mount_bind(at("s1"), e); },
      [=] { propagate(e, MS_PRIVATE); },
      [=] { unmount(a); },
      [=] { unmount(e); },
      [=] { unmount(e); },  // and e/k
  };
}

/// Changes to propagation alone, which nothing in the kernel counts: one or two of three mounts are
/// shared, never none and never all.
Operations round_of_propagation(const std::string& dir) {
  const auto change = [dir](const char* name, unsigned long to) {
    return [=] { propagate(dir + "/" + name, to); };
  };
  return {change("b", MS_SHARED),  change("a", MS_PRIVATE), change("c", MS_SHARED),
          change("b", MS_PRIVATE), change("a", MS_SHARED),  change("c", MS_PRIVATE)};
}

/// What both processes see.
struct Shared {
  std::atomic<std::uint64_t> allowed = 0;  ///< how many operations may be done
  std::atomic<std::uint64_t> done = 0;
  std::atomic<bool> failed = false;
};

/// A process that goes round and round, as many operations as it may.
class Storm {
 public:
  Storm(const std::function<void()>& set_up, const Operations& operations)
      : shared_(new(room()) Shared), process_([&] {
          set_up();
          std::thread(&Storm::work, shared_, operations).detach();
        }) {}
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;
  ~Storm() { shared_->allowed = 0; }

  [[nodiscard]] pid_t pid() const { return process_.pid(); }
  [[nodiscard]] std::uint64_t done() const { return shared_->done; }
  [[nodiscard]] bool failed() const { return shared_->failed; }

  /// One more operation, and waits for it.
  void step() {
    const std::uint64_t wanted = ++shared_->allowed;
    while (shared_->done < wanted && !shared_->failed) std::this_thread::yield();
  }
  /// Allows `rate` operations a second from now on until `work` ends; 0: as fast as can be.
  /// How many a second there were.
  double blow(unsigned rate, const std::function<void()>& work) {
    std::jthread pace([this, rate](const std::stop_token& stop) {
      const std::uint64_t before = shared_->allowed;
      const auto begin = Clock::now();
      if (rate == 0) shared_->allowed = UINT64_MAX;
      while (rate != 0 && !stop.stop_requested()) {
        std::this_thread::sleep_for(std::chrono::microseconds(100));
        const std::chrono::duration<double> passed = Clock::now() - begin;
        shared_->allowed = before + static_cast<std::uint64_t>(passed.count() * rate);
      }
    });
    const std::uint64_t before = done();
    const auto begin = Clock::now();
    work();
    const std::chrono::duration<double> passed = Clock::now() - begin;
    return static_cast<double>(done() - before) / passed.count();
  }

 private:
  static void* room() {
    void* memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return memory;
  }

  static void work(Shared* shared, const Operations& operations) {
    try {
      for (std::uint64_t next = 0;; ++next) {
        while (next >= shared->allowed) {
          const timespec moment{0, 20000};
          ::nanosleep(&moment, nullptr);
        }
        operations[next % operations.size()]();
        ++shared->done;
      }
    } catch (const std::exception&) {
      shared->failed = true;
    }
  }

  Shared* shared_;
  Process process_;
};

/// A table without what differs between equal states: ids, and the numbers of peer groups.
std::string canonical(const MountTable& table) {
  std::map<std::uint64_t, std::size_t> groups{{0, 0}};
  const auto group = [&](std::uint64_t number) {
    return groups.try_emplace(number, groups.size()).first->second;
  };
  std::string text;
  for (const LiveMount& mount : table.mounts) {
    text +=
        fmt::format("{} {} {}:{} {} attrs {} shared {} master {} unbindable {}\n", mount.mountpoint,
                    mount.parent, mount.dev_major, mount.dev_minor, mount.root, mount.attrs,
                    group(mount.peer_group), group(mount.master), mount.unbindable);
  }
  return text;
}

struct Count {
  int good = 0;
  int refused = 0;
};

int wanted_captures() {
  const char* wanted = std::getenv("MNTCR_CAPTURES");
  return wanted != nullptr ? std::atoi(wanted) : 100;
}

/// Reads the storm's namespace again and again; each time one of `states`, or the refusal.
Count capture_all(const Storm& storm, Reader reader, const std::set<std::string>& states) {
  const Fd proc = need(open_proc(linux_kernel()));
  const Fd ns = need(open_namespace_of_pid(linux_kernel(), proc, storm.pid()));
  Count count;
  for (int left = wanted_captures(); left > 0; --left) {
    const auto table = capture(linux_kernel(), proc, ns, reader);
    if (!table) {
      CHECK(table.error().number == EAGAIN);
      CHECK_THAT(table.error().message, Catch::Contains("change faster than they can be read"));
      ++count.refused;
      continue;
    }
    ++count.good;
    INFO(canonical(*table));
    CHECK(states.contains(canonical(*table)));
  }
  return count;
}

/// The states of a round, each read at rest.
std::set<std::string> states_of(Storm& storm, std::size_t round) {
  const Fd proc = need(open_proc(linux_kernel()));
  const Fd ns = need(open_namespace_of_pid(linux_kernel(), proc, storm.pid()));
  std::set<std::string> states;
  for (std::size_t step = 0; step < round; ++step) {
    storm.step();
    REQUIRE_FALSE(storm.failed());
    states.insert(canonical(need(capture(linux_kernel(), proc, ns))));
  }
  CHECK(states.size() == round);
  return states;
}

/// How long reading takes while nothing stirs: on an emulated machine longer than any pause of the
/// storm, and then nothing can be asked but that no answer is wrong.
double seconds_at_rest(const Storm& storm, Reader reader) {
  const Fd proc = need(open_proc(linux_kernel()));
  const Fd ns = need(open_namespace_of_pid(linux_kernel(), proc, storm.pid()));
  const auto begin = Clock::now();
  for (int reading = 0; reading < 10; ++reading) need(capture(linux_kernel(), proc, ns, reader));
  return std::chrono::duration<double>(Clock::now() - begin).count() / 10;
}

void make_field(const std::string& dir) {
  mount_tmpfs(dir);
  for (const char* name : {"s0/k", "s1", "s2", "a", "b", "c", "e"}) make_dir(dir + "/" + name);
}

/// `share`: above 0 where some captures have to succeed on a machine that is not too slow.
void weather(Storm& storm, std::size_t round, unsigned rate, const char* what, double share) {
  const std::set<std::string> states = states_of(storm, round);
  for (const Reader reader : readers()) {
    const bool fast = rate != 0 && seconds_at_rest(storm, reader) < 5.0 / rate;
    Count count;
    const double speed = storm.blow(rate, [&] { count = capture_all(storm, reader, states); });
    CHECK_FALSE(storm.failed());
    const std::string told =
        fmt::format("{}, {}: {:.0f} operations a second, {} captures, {} refused", what,
                    reader == Reader::statmount ? "statmount" : "mountinfo", speed,
                    count.good + count.refused, count.refused);
    if (std::getenv("MNTCR_CAPTURES") != nullptr) WARN(told);
    INFO(told);
    if (fast) CHECK(speed > rate / 2.0);
    // How many succeed depends on how busy the machine is.
    if (fast && share > 0) CHECK(count.good > 0);
  }
}

TEST_CASE("a namespace that mounts and unmounts 5,000 times a second is never read torn") {
  const std::string dir = fresh_dir();
  const Operations round = round_of_mounts(dir);
  Storm storm([&] { make_field(dir); }, round);
  weather(storm, round.size(), 6000, "paced", 0.5);
}

TEST_CASE("a namespace that changes as fast as it can is never read torn") {
  const std::string dir = fresh_dir();
  const Operations round = round_of_mounts(dir);
  Storm storm([&] { make_field(dir); }, round);
  weather(storm, round.size(), 0, "as fast as can be", 0);
}

TEST_CASE("a watch tells what happens to mounts, but not to their propagation") {
  const std::string dir = fresh_dir();
  const Operations round = round_of_mounts(dir);
  Storm storm([&] { make_field(dir); }, round);
  const Fd proc = need(open_proc(linux_kernel()));
  const Fd ns = need(open_namespace_of_pid(linux_kernel(), proc, storm.pid()));
  MountWatch watch = need(MountWatch::of_namespace(linux_kernel(), proc, ns));
  CHECK_FALSE(need(watch.moved()));
  const std::set<std::size_t> unseen{2,  5,  7, 9,
                                     10, 12, 15};  // mount(2) with MS_SHARED and the like
  for (std::size_t step = 0; step < round.size(); ++step) {
    storm.step();
    INFO(step);
    CHECK(need(watch.moved()) != unseen.contains(step));
    CHECK_FALSE(need(watch.moved()));
  }
}

TEST_CASE("propagation that changes to and fro is never read torn") {
  const std::string dir = fresh_dir();
  const Operations round = round_of_propagation(dir);
  const auto set_up = [&] {
    make_field(dir);
    for (const char* name : {"a", "b", "c"}) mount_bind(dir + "/s1", dir + "/" + name);
    propagate(dir + "/a", MS_SHARED);
  };
  Storm storm(set_up, round);
  SECTION("paced") { weather(storm, round.size(), 6000, "propagation", 0); }
  SECTION("as fast as can be") { weather(storm, round.size(), 0, "propagation at full speed", 0); }
}

}  // namespace
}  // namespace mntcr
