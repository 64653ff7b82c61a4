#include "runtime/base/overlay.h"

#include <catch2/catch.hpp>

using namespace mntcr;

using Layers = std::vector<LayerPath>;

TEST_CASE("layers are read back from every form in which kernels print them") {
  CHECK(overlay_layers({"lowerdir=/a:/b", "upperdir=/u", "workdir=/w", "xino=off"}) ==
        Layers{{LayerRole::lower, "/a"},
               {LayerRole::lower, "/b"},
               {LayerRole::upper, "/u"},
               {LayerRole::work, "/w"}});
  CHECK(overlay_layers({"lowerdir+=/a:b\\", "lowerdir+=/c,d", "datadir+=/e"}) ==
        Layers{{LayerRole::lower, "/a:b\\"}, {LayerRole::lower, "/c,d"}, {LayerRole::data, "/e"}});
  CHECK(overlay_layers({"lowerdir=/a\\:b:/c\\\\d:/e\\,f"}) == Layers{{LayerRole::lower, "/a:b"},
                                                                     {LayerRole::lower, "/c\\d"},
                                                                     {LayerRole::lower, "/e,f"}});
  CHECK(overlay_layers({"lowerdir=/a::/d:/e"}).at(0).role == LayerRole::lower);
  CHECK(overlay_layers({"lowerdir=/a::/d::/e"}) ==
        Layers{{LayerRole::lower, "/a"}, {LayerRole::data, "/d"}, {LayerRole::data, "/e"}});
  CHECK(overlay_layers({"size=1m"}).empty());
}

TEST_CASE("what the kernel is given for a layer is read back as the path") {
  for (const char* path : {"/", "/a", "/a,b:c\\d e\nf=#$", "/\\", "/a\\", "/\\\\:", "/\xFF"}) {
    for (const LayerRole role : {LayerRole::lower, LayerRole::upper, LayerRole::work}) {
      const std::string option = std::string(layer_parameter(role)) + "=" + layer_word(role, path);
      CHECK(overlay_layers({option}) == Layers{{role, path}});
    }
  }
}

TEST_CASE("a list of lower layers is read back as the paths") {
  const std::string list = lower_list({"/a", "/b:c", "/d\\", "/e\\:f"});
  CHECK(overlay_layers({"lowerdir=" + list}) == Layers{{LayerRole::lower, "/a"},
                                                       {LayerRole::lower, "/b:c"},
                                                       {LayerRole::lower, "/d\\"},
                                                       {LayerRole::lower, "/e\\:f"}});
}

TEST_CASE("newer kernels print volatile in another way than they take it") {
  CHECK(overlay_option("fsync=volatile") == "volatile");
  CHECK(overlay_option("index=on") == "index=on");
}
