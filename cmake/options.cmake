# How everything of ours is compiled: mntcr_options carries warnings, sanitizers and include paths.
add_library(mntcr_options INTERFACE)
target_include_directories(mntcr_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_options(mntcr_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor
  -Woverloaded-virtual -Wcast-align -Wunused -Wformat=2 -Wimplicit-fallthrough -Wno-missing-field-initializers
  $<$<BOOL:${MNTCR_WERROR}>:-Werror>)
if(MNTCR_SANITIZE)
  target_compile_options(mntcr_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(mntcr_options INTERFACE -fsanitize=address,undefined)
endif()

find_program(MNTCR_CCACHE ccache)
if(MNTCR_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MNTCR_CCACHE})
endif()

# A room: a static library with its sources, its door to the rooms it may use, and our options.
function(mntcr_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DOORS;LIBRARIES" ${ARGN})
  add_library(${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(${name} PUBLIC mntcr_options ${ROOM_DOORS} PRIVATE ${ROOM_LIBRARIES})
endfunction()
