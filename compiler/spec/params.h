// [params] and `--set`: what ${name} stands for in every string of a spec.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/spec/decode.h"
#include "compiler/spec/text.h"
#include "compiler/syntax/syntax_tree.h"
#include "runtime/base/diagnostic.h"

namespace mntcr::spec {

/// The params of one spec. Reports what is wrong with them once, however often they are used.
class Params {
 public:
  /// `declared` are the entries of [params], and `users` the documents whose strings may ask for
  /// them; both must outlive this.
  Params(const std::vector<syntax::Entry>& declared, const std::vector<const syntax::Node*>& users,
         const std::vector<ParamSetting>& settings, Diagnostics& diagnostics);

  /// The string `node` with its params replaced; nothing when a param in it has no value, which has
  /// been said then.
  std::optional<Text> expand(const syntax::Node& node);

  /// The same without complaints: what is faulty in it is left out.
  [[nodiscard]] std::string peek(const syntax::Node& node) const;

 private:
  /// A param while and after its value is worked out. `value` is empty when it has none that is
  /// good.
  struct Param {
    const syntax::Entry* entry = nullptr;
    std::optional<std::string> value;
    bool faulty = false;  ///< its declaration was complained about
    enum class State : unsigned char { fresh, running, done } state = State::fresh;
  };

  void declare(const syntax::Entry& entry);
  void declare_required(const syntax::Entry& entry);
  void set(const ParamSetting& setting);
  void demand_values();
  void complain_unused(const std::vector<const syntax::Node*>& users);

  /// The value of `name`, which the piece of a string at `use` asks for.
  std::optional<std::string> value_of(const std::string& name, Span use);
  std::optional<std::string> unknown(const std::string& name, Span use);
  void report_ring(const std::string& name);

  Diagnostics& diagnostics_;
  std::map<std::string, Param, std::less<>> params_;
  std::vector<std::string> running_;
};

}  // namespace mntcr::spec
